@rem Double-click: runs `python install` and waits, so that you can read what it says.
@cd /d "%~dp0..\.."
@py -3 install %*
@pause
