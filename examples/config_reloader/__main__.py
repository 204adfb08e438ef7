"""`python -m k8srt.examples.config_reloader`"""

import sys

from .main import main

sys.exit(main())
