module jwt-rbac/workload

go 1.24
