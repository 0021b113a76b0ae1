"""What is measured, one module a question; `catalogue` names them all."""
