"""What engines that run a network need: devices, number formats, memory, and files as transformers publishes them."""
