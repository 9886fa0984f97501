"""What every bundle for a phone has, whatever runtime its model is for.

In: a model that a target converted. Out: the Android and iOS projects around it, and a runner that
asks the model in processes of their own, from tensors and, by the projects' own Kotlin, from raw
bytes. A target says what is its own in a `Kit` and a `World`.
"""
