module github.com/gatehouse/gatehouse/frontends

go 1.26.0

ignore node_modules

require github.com/stretchr/testify v1.12.1
