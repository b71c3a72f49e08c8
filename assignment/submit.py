"""Packs what you upload:  python submit.py --help"""

from student.submit import main

raise SystemExit(main())
