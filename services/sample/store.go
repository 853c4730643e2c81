package sample

import "net/http"

// otherRoutes are the store's and the users'.
func (s *shop) otherRoutes(handle register) {
	handle("GET /store/inventory", func(*http.Request) (any, error) {
		stock := map[string]int{}
		for _, p := range s.pets {
			stock[p.Status]++
		}
		return stock, nil
	})
	handle("POST /store/order", func(r *http.Request) (any, error) {
		o, err := read[order](r)
		if err != nil {
			return nil, err
		}
		if _, ok := s.pets[o.PetID]; !ok || o.Quantity < 0 {
			return nil, errInput
		}
		if len(s.orders) >= maxKept {
			return nil, errFull
		}
		s.last++
		o.ID, o.Status = s.last, "placed"
		s.orders[o.ID] = o
		return o, nil
	})
	handle("GET /store/order/{orderId}", func(r *http.Request) (any, error) { return find(r, "orderId", s.orders) })
	handle("DELETE /store/order/{orderId}", func(r *http.Request) (any, error) {
		o, err := find(r, "orderId", s.orders)
		delete(s.orders, o.ID)
		return nil, err
	})
	handle("POST /user", func(r *http.Request) (any, error) {
		u, err := read[user](r)
		if err != nil {
			return nil, err
		}
		return s.addUser(u)
	})
	handle("POST /user/createWithList", func(r *http.Request) (any, error) {
		list, err := read[[]user](r)
		if err != nil {
			return nil, err
		}
		added := []any{}
		for _, u := range list {
			one, err := s.addUser(u)
			if err != nil {
				return nil, err
			}
			added = append(added, one)
		}
		return added, nil
	})
	handle("GET /user/login", func(r *http.Request) (any, error) {
		u, ok := s.users[r.URL.Query().Get("username")]
		if !ok {
			return nil, errMissing
		}
		return map[string]string{"session": "session of " + u.Username}, nil
	})
	handle("GET /user/logout", func(*http.Request) (any, error) { return nil, nil })
	handle("GET /user/{username}", func(r *http.Request) (any, error) {
		u, ok := s.users[r.PathValue("username")]
		if !ok {
			return nil, errMissing
		}
		return u, nil
	})
	handle("PUT /user/{username}", func(r *http.Request) (any, error) {
		old, ok := s.users[r.PathValue("username")]
		u, err := read[user](r)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, errMissing
		}
		u.ID, u.Username = old.ID, old.Username
		s.users[u.Username] = u
		return u, nil
	})
	handle("DELETE /user/{username}", func(r *http.Request) (any, error) {
		if _, ok := s.users[r.PathValue("username")]; !ok {
			return nil, errMissing
		}
		delete(s.users, r.PathValue("username"))
		return nil, nil
	})
}

func (s *shop) addUser(u user) (any, error) {
	if u.Username == "" || len(u.Username) > 100 {
		return nil, errInput
	}
	if len(s.users) >= maxKept {
		return nil, errFull
	}
	s.last++
	u.ID = s.last
	s.users[u.Username] = u
	return u, nil
}
