"""`python -m k8srt.examples.sample_controller_runtime`"""

import sys

from .main import main

sys.exit(main())
