package router_test

import (
	"fmt"

	"github.com/gatehouse/gatehouse/gateway/internal/canon"
	"github.com/gatehouse/gatehouse/gateway/internal/router"
)

func Example() {
	orders, err := router.Compile(router.API{
		ID: "orders", Hosts: []string{"api.example.com"}, BasePath: "/orders",
		Operations: []router.Operation{{ID: "getItem", Method: "GET", Path: "/items/{id}"}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	index, _ := router.Build([]*router.Compiled{orders})

	host, _ := canon.Host("API.example.com:443")
	path, flags, _ := canon.Path("/orders/./items/a%20b")
	var m router.Match // kept and used again by whoever serves requests
	index.Match(&router.Request{Method: "GET", Host: host, Path: path, Flags: flags}, &m)
	id, _ := m.Param("id")
	fmt.Println(m.Outcome, m.API.ID(), m.Template(), id)
	// Output: matched orders /orders/items/{id} a b
}
