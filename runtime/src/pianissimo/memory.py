"""How much memory the process really has, and handing back what was freed."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable
from pathlib import Path

if sys.platform == "win32":

    class _Counters(ctypes.Structure):
        """PROCESS_MEMORY_COUNTERS of psapi.h."""

        _fields_ = (
            ("cb", ctypes.c_uint32),
            ("PageFaultCount", ctypes.c_uint32),
            *(
                (name, ctypes.c_size_t)
                for name in (
                    "PeakWorkingSetSize",
                    "WorkingSetSize",
                    "QuotaPeakPagedPoolUsage",
                    "QuotaPagedPoolUsage",
                    "QuotaPeakNonPagedPoolUsage",
                    "QuotaNonPagedPoolUsage",
                    "PagefileUsage",
                    "PeakPagefileUsage",
                )
            ),
        )

    def resident() -> int:
        """Bytes of the process that are in memory now."""
        counters = _Counters(cb=ctypes.sizeof(_Counters))
        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        kernel.GetCurrentProcess.restype = ctypes.c_void_p
        process = ctypes.c_void_p(kernel.GetCurrentProcess())
        if not kernel.K32GetProcessMemoryInfo(process, ctypes.byref(counters), counters.cb):
            raise ctypes.WinError(ctypes.get_last_error())
        return int(counters.WorkingSetSize)

elif sys.platform == "darwin":
    _TASK_INFO, _TASK_INFO_BYTES = 4, 96  # PROC_PIDTASKINFO of libproc.h

    def resident() -> int:
        """Bytes of the process that are in memory now."""
        info = (ctypes.c_uint64 * (_TASK_INFO_BYTES // 8))()
        library = ctypes.CDLL("libproc.dylib", use_errno=True)
        if library.proc_pidinfo(os.getpid(), _TASK_INFO, ctypes.c_uint64(0), info, _TASK_INFO_BYTES) <= 0:
            raise OSError(ctypes.get_errno(), "proc_pidinfo did not tell the memory of this process")
        return int(info[1])  # pti_resident_size, after pti_virtual_size

else:
    _PAGE = os.sysconf("SC_PAGE_SIZE")
    _STATM = Path("/proc/self/statm")

    def resident() -> int:
        """Bytes of the process that are in memory now."""
        return int(_STATM.read_bytes().split()[1]) * _PAGE


def _trimmer() -> Callable[[], object]:
    """What this system's C library offers; Windows returns freed memory by itself."""
    if sys.platform == "win32":
        return lambda: None
    library = ctypes.CDLL(None)
    if sys.platform == "darwin":
        relieve = library.malloc_zone_pressure_relief
        relieve.argtypes, relieve.restype = (ctypes.c_void_p, ctypes.c_size_t), ctypes.c_size_t
        return lambda: relieve(None, 0)
    trim = getattr(library, "malloc_trim", None)  # glibc's; musl keeps little
    return (lambda: trim(0)) if trim else (lambda: None)


def give_back() -> None:
    """Hand freed memory to the system: without it the C library keeps it for the next allocation."""
    _trimmer()()
