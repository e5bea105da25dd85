"""A helper that says twice what it is told, is noisy about it, sleeps when asked, and dies of `die`."""

import os
import sys
import time

from harness.processes.helper import asked

if __name__ == "__main__":
    requests, answer = asked()
    for request in requests:
        print("noise")
        if request == "die":
            sys.exit(3)
        if request == "sleep":
            time.sleep(600)
        answer((os.getpid(), request * 2))
