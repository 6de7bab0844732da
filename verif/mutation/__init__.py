"""Do the tests notice broken RTL?"""
