package redisclient

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/redis/rueidis"
)

// One form for each kind of Redis; rediss and rediss-sentinel are the same over TLS.
const (
	singleForm   = "redis://user:password@host:6379/0"
	clusterForm  = "redis://user:password@host:6379,host:6379"
	sentinelForm = "redis-sentinel://user:password@host:26379,host:26379/MASTER"
)

var errOption = errors.New("not a Redis that popupd can connect to")

// refuse says what is wrong and how it is right. why shows nothing of what was
// given, since any part of what was mistyped may be the password.
func refuse(why, form string) (rueidis.ClientOption, error) {
	return rueidis.ClientOption{}, fmt.Errorf("%w: %s; as in %s", errOption, why, form)
}

// ParseOption reads where a Redis is:
//
//	redis://[user:pass@]host:port/db                            one server
//	redis://[user:pass@]host:port,host:port                     nodes of a cluster
//	redis-sentinel://[user:pass@]host:port,host:port/MASTER     Sentinels, and the name of what they watch
//	host:port[,host:port]                                       short for redis:// without a password
//
// rediss:// and rediss-sentinel:// are the same over TLS. User and password are
// those of the servers; Sentinels are given the password without the user.
func ParseOption(s string) (option rueidis.ClientOption, err error) {
	scheme, rest, isURL := strings.Cut(s, "://")
	if !isURL {
		return parseAddresses(s)
	}
	sentinel, port := false, "6379"
	switch scheme {
	case "redis", "rediss":
	case "redis-sentinel", "rediss-sentinel":
		sentinel, port = true, "26379"
	default:
		return refuse("unknown kind of URL", strings.Join([]string{singleForm, clusterForm, sentinelForm}, " or "))
	}
	addresses, path, _ := strings.Cut(rest, "/")
	if strings.ContainsAny(rest, "?#") || strings.Contains(path, "@") {
		return refuse("nothing follows the address but a database number or a Sentinel's master, and in a password / is %2F, ? is %3F, # is %23", singleForm)
	}
	if at := strings.LastIndexByte(addresses, '@'); at >= 0 {
		if option.Username, option.Password, err = parseUser(addresses[:at]); err != nil {
			return refuse(err.Error(), singleForm)
		}
		addresses = addresses[at+1:]
	}
	for address := range strings.SplitSeq(addresses, ",") {
		if !strings.Contains(address[strings.LastIndexByte(address, ']')+1:], ":") {
			address += ":" + port
		}
		option.InitAddress = append(option.InitAddress, address)
	}
	if strings.HasPrefix(scheme, "rediss") {
		option.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if sentinel {
		return parseSentinel(option, path)
	}
	return parseServers(option, path)
}

// parseAddresses reads the short form.
func parseAddresses(s string) (option rueidis.ClientOption, err error) {
	if strings.Contains(s, "@") {
		return refuse("a password needs redis:// before it", singleForm)
	}
	option.InitAddress = strings.Split(s, ",")
	if !areAddresses(option.InitAddress) {
		return refuse("want host:port, or several of them", "host:6379,host:6379")
	}
	return option, nil
}

// parseServers reads the database number of a single server, which a cluster lacks.
func parseServers(option rueidis.ClientOption, path string) (rueidis.ClientOption, error) {
	var err error
	switch {
	case !areAddresses(option.InitAddress):
		return refuse("want host:port after the password, or several of them", clusterForm)
	case path == "":
	case len(option.InitAddress) > 1:
		return refuse("several addresses are a cluster, which has no database numbers", clusterForm)
	default:
		if option.SelectDB, err = strconv.Atoi(path); err != nil || option.SelectDB < 0 {
			return refuse("the database is a number", singleForm)
		}
	}
	return option, nil
}

// parseSentinel reads the master's name. Most Sentinels know no users: those
// without a password take any, and others the one of their default user.
func parseSentinel(option rueidis.ClientOption, master string) (rueidis.ClientOption, error) {
	switch {
	case !areAddresses(option.InitAddress):
		return refuse("want host:port of the Sentinels", sentinelForm)
	case master == "" || strings.Contains(master, "/"):
		return refuse("want the name of the master that the Sentinels watch after their addresses", sentinelForm)
	}
	option.Sentinel.MasterSet, option.Sentinel.Password, option.Sentinel.TLSConfig = master, option.Password, option.TLSConfig
	return option, nil
}

// parseUser reads user:pass or :pass, percent-encoded as in every URL.
func parseUser(s string) (user, password string, err error) {
	user, password, _ = strings.Cut(s, ":")
	if password == "" {
		return "", "", errors.New("want user:password or :password before the @")
	}
	for _, part := range []*string{&user, &password} {
		if *part, err = url.PathUnescape(*part); err != nil {
			return "", "", errors.New("in a user or password % is %25")
		}
	}
	return user, password, nil
}

// areAddresses reports whether each of the list is host:port. A password is in
// none: as part of an address it would be logged.
func areAddresses(list []string) bool {
	return !slices.ContainsFunc(list, func(s string) bool {
		host, port, err := net.SplitHostPort(s)
		if err != nil || host == "" || strings.ContainsAny(host, "@/? \t\r\n") {
			return true
		}
		_, err = strconv.ParseUint(port, 10, 16)
		return err != nil
	})
}

// IsCluster reports whether the addresses are those of a cluster's nodes.
func IsCluster(option rueidis.ClientOption) bool {
	return len(option.InitAddress) > 1 && !IsSentinel(option)
}

// IsSentinel reports whether the addresses are those of Sentinels.
func IsSentinel(option rueidis.ClientOption) bool { return option.Sentinel.MasterSet != "" }
