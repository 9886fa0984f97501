"""The function, without any web framework. Read it in the order in which a request travels.

    events     an AWS event           -> messages.Request
    limits     is it small enough to have come, and its answer to go back?
    routes     which of the contract's routes is it for?
    service    the one place where a request becomes a response; the clock and the log are here
    protocol   /v2/models/…/infer: JSON and binary tensors  <-> numpy   (literals: the JSON part)
    npy        /predict: .npy and .npz                      <-> numpy
    raw        /predict: a photo, a recording, a table       -> their bytes (media, compression)
    staged     those -> the model's tensors, and its outputs -> the answer's (steps: which way)
    words      /predict: the answer in words, or as a picture
    checks     are these arrays what the model declares?
    model      model.json and model.onnx; runs the graph
    metrics    one line of log for each request

The build adds stages/, which `staged` and `words` call, where steps around the model are declared.
Both flavors are this package: `lean` calls it straight from the event, `fastapi` through FastAPI
and Mangum. It imports the standard library, numpy and onnxruntime only, and of those what a cold
start cannot do without; anything rarer is imported where it is used.
"""
