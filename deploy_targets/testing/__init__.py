"""A kit for whoever writes a target: what every target promises, models, and faults to plant."""
