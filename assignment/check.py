"""How far you are:  python check.py --help"""

from student.check import main

raise SystemExit(main())
