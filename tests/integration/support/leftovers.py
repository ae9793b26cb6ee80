"""Ends every server whose data is in a folder, and removes the folder: what an interrupted test run
leaves behind. `python3 -m support.leftovers FOLDER`"""

import shutil
import sys
from pathlib import Path

from .program import stop_servers


def main():
    folder = Path(sys.argv[1])
    stop_servers(folder)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
