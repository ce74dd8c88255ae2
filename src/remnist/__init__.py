"""Five MNIST lab reports, every experiment run again over many seeds."""

import os

STARTED_BY = os.getppid()  # read first, since the process that started this one may end during the imports
