"""Build, run and count every network of a study.

``run`` starts ``worker`` as a process of its own and talks to it, so a reading that exhausts memory
or never ends takes nothing else with it. Only that process imports torch.
"""
