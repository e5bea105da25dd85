```lean4
```