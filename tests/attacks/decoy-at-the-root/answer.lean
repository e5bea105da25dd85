theorem foo : True := trivial

namespace N
def False : Prop := True
theorem foo : False := trivial
