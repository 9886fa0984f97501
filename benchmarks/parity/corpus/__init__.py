"""Honest builds: what every converter and runtime to be had here answers for an unspoilt model.

models.py    a name such as "vit-2" -> its SourceSpec        store.py      the folder of one model
record.py    golden answers and captured graphs              onnxruntime.py  lanes in this process
elsewhere.py lanes in environments of their own              lambda_lane.py  whole bundles, emulated
"""
