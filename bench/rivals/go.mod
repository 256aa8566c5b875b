module github.com/popupd/popupd/bench/rivals

go 1.26.0

replace github.com/molecule-man/go-brrr => github.com/molecule-man/go-brrr v1.0.1

require (
	github.com/go-sql-driver/mysql v1.10.1
	github.com/redis/rueidis v1.0.79
	github.com/valyala/fasthttp v1.77.0
)

require (
	filippo.io/edwards25519 v1.2.0 // indirect
	github.com/FastFilter/xorfilter v0.4.2-0.20260120015552-4e5a4d9df65a
	github.com/klauspost/compress v1.20.3 // indirect
	github.com/molecule-man/go-brrr v1.3.0 // indirect
	github.com/popupd/popupd v0.0.0
	github.com/valyala/bytebufferpool v1.0.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
)

replace github.com/popupd/popupd => ../..
