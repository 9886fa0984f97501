"""What sklearn_estimators.py is made of: the estimators, and faults that only they can have."""
