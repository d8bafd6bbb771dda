"""Everything that runs inside the measuring process: the only modules that import torch.

``reconcile.measure`` starts ``reconcile.measuring.worker`` as a process of its own and talks to it,
so a reading that exhausts memory or never ends takes nothing else with it.
"""

import os

# Before torch is imported: by default its threads burn a core while they wait for each other, and
# on cores that other processes use too a forward pass then takes several times as long.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
