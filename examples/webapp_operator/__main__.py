"""`python -m k8srt.examples.webapp_operator`"""

import sys

from .main import main

sys.exit(main())
