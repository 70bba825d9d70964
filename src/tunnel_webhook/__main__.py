"""`python -m tunnel_webhook` is the command `tunnel-webhook`."""

from tunnel_webhook.cli import main

if __name__ == "__main__":
    main(prog_name="tunnel-webhook")
