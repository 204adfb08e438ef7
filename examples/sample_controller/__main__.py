"""`python -m k8srt.examples.sample_controller`"""

import sys

from .main import main

sys.exit(main())
