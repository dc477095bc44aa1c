print("peo")
