"""python -m deploy_targets"""

from deploy_targets.cli import main

if __name__ == "__main__":
    main()
