"""What campaigns share: crowds of processes, faults, databases, and what is found at the end.

Benchmarks take their databases and segmentations from here as well.
"""
