"""`python -m gradlab`: the command `gradlab`, where its folder is not on the PATH."""

import sys

from gradlab.command import main

if __name__ == "__main__":
    sys.exit(main())
