package brand

// Contrast returns that of two colours written #rrggbb.
func Contrast(a, b string) float64 {
	x, _ := parse(a)
	y, _ := parse(b)
	return contrast(x, y)
}
