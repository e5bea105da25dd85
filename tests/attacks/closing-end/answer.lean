rfl
end
namespace Y