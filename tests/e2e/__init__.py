"""The whole real stack through nginx; only the hosted models are scripted."""
