"""`python -m scripts.doctor [--json] [--demo]`: as `make doctor`."""

from scripts.doctor.command import main

if __name__ == "__main__":
    main()
