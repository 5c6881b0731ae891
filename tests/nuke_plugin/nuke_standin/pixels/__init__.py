"""The pixels of the stand-in: a process of its own, with numpy and OpenImageIO, so that the plug-in's needs neither.

`nuke_standin.render` starts `serve.main` as a child and sends it plans. Nothing else of the stand-in imports this.
"""
