"""The tools of this machine: found, installed, or unpacked privately from the Debian archive."""
