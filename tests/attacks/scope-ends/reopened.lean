end X
namespace X
variable (p : 1 = 2)
include p
theorem foo : 1 = 2 := p
end X
