"""The bundled broken project of `selfheal demo`, and the script that its model plays."""
