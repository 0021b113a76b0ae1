"""What builds and describes the checkout: setup.sh, and the pages of docs/ that are written from the code."""
