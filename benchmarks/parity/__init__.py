"""The bench on which verdicts are judged: honest builds, planted faults, our rule and others'.

split.toml      which models and faults may tune the judge, and which it is scored on
architectures/  small seeded PyTorch models        real/       six models with trained weights
corpus/         honest answers of every runtime    peers.py    how other projects decide
ours.py         how we decide                      scoring.py  who detects what
"""
