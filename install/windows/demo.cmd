@rem Double-click: runs `python install demo` and waits, so that you can read what it says.
@cd /d "%~dp0..\.."
@py -3 install demo %*
@pause
