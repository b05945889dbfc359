"""What a stack costs a month, by a dated table of list prices and stated assumptions."""
