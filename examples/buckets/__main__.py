"""`python -m k8srt.examples.buckets`"""

import sys

from .main import main

sys.exit(main())
