"""Everything that runs inside the measuring process: the only modules that import torch.

``reconcile.measure`` starts ``reconcile.measuring.worker`` as a process of its own and talks to it,
so a reading that exhausts memory or never ends takes nothing else with it.
"""
