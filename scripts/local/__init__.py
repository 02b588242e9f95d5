"""What `make demo` and the tests need to run on one machine: embedded servers, the supervisor, the installation."""
