"""What benchmarks/web_models.py and benchmarks/web_latency.py are made of.

real.py     trained models and real inputs        proofs.py   what came of building them
rivals.py   the ways to run one model             visits.py   pages that are loaded and asked
figures.py  medians and tables                    section.py  the part of a page that is written
"""
