"""What this machine is: the facts that bits could depend on."""

import os
import platform
import re
from pathlib import Path

CPUINFO, CACHES = Path("/proc/cpuinfo"), Path("/sys/devices/system/cpu/cpu0/cache")
UNKNOWN = "unknown"


def processor() -> str:
    """Return the processor's name."""
    return _of_processor("model name") or platform.machine()


def facts() -> dict[str, str]:
    """Return the processor with its vendor and level-2 cache, the C library, and the operating system."""
    try:
        system = platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        system = platform.platform()
    return {
        "processor": processor(),
        "vendor": _of_processor("vendor_id") or UNKNOWN,
        "level-2 cache": _level_2(),
        "C library": " ".join(filter(None, platform.libc_ver())) or UNKNOWN,
        "system": system,
    }


def _of_processor(name: str) -> str:
    try:
        found = re.search(rf"^{name}\s*: (.*)$", CPUINFO.read_text(encoding="utf-8"), re.MULTILINE)
    except OSError:
        return ""
    return found[1] if found else ""


def _level_2() -> str:
    for index in sorted(CACHES.glob("index*")):
        try:
            if (index / "level").read_text().strip() == "2":
                return (index / "size").read_text().strip()
        except OSError:
            pass
    size = os.sysconf("SC_LEVEL2_CACHE_SIZE") if "SC_LEVEL2_CACHE_SIZE" in os.sysconf_names else 0
    return f"{size // 1024}K" if size > 0 else UNKNOWN
