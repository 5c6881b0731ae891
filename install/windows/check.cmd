@rem Double-click: runs `python install check` and waits, so that you can read what it says.
@cd /d "%~dp0..\.."
@py -3 install check %*
@pause
