trivial

#exit