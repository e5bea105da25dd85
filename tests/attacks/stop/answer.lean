stop
rfl