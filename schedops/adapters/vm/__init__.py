"""Micro-VMs: a guest image, a frozen template, QEMU, and the protocol with the agent inside."""
